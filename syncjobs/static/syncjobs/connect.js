// E-mail and password belong to a client that is new or elsewhere; the button works once per attempt.
const form = document.getElementById("connect");
const known = new Set([...document.querySelectorAll("#clients option")].map((item) => item.value));
const update = () => {
  const { client, client_url: url, email, client_password: password } = form.elements;
  const exists = known.has(client.value.trim());
  const elsewhere = url.value.trim() !== "";
  url.disabled = exists;
  for (const field of [email, password]) field.disabled = exists;
  form.elements.confirm_password.disabled = exists || elsewhere;
};
const ways = [...document.querySelectorAll("[data-login]")];
const choose = () => {
  const way = form.elements.login.value || "secret";
  for (const part of ways) part.hidden = !part.dataset.login.split(" ").includes(way);
};
form.elements.login.addEventListener("change", choose);
choose();
form.elements.client.addEventListener("input", update);
form.elements.client_url.addEventListener("input", update);
form.addEventListener("submit", () => {
  form.querySelector(".rs-buttons button").disabled = true;
  document.getElementById("busy").hidden = false;
});
window.addEventListener("pageshow", () => {
  form.querySelector(".rs-buttons button").disabled = false;
  document.getElementById("busy").hidden = true;
});
update();
const wrong = form.querySelector(".rs-wrong input, .rs-wrong select");
(wrong || form.elements.client).focus();
