// E-mail and password belong to a new client only; the button works once per attempt.
const form = document.getElementById("connect");
const known = new Set([...document.querySelectorAll("#clients option")].map((item) => item.value));
const names = ["email", "client_password", "confirm_password"];
const update = () => {
  const exists = known.has(form.elements.client.value.trim());
  for (const name of names) form.elements[name].disabled = exists;
};
const ways = [...document.querySelectorAll("[data-login]")];
const choose = () => {
  const way = form.elements.login.value || "secret";
  for (const part of ways) part.hidden = !part.dataset.login.split(" ").includes(way);
};
form.elements.login.addEventListener("change", choose);
choose();
form.elements.client.addEventListener("input", update);
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
