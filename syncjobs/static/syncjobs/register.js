// The button works once consent is given, and only once per attempt.
const form = document.getElementById("register");
const button = document.getElementById("connect");
const consent = form.elements.consent;
const update = () => { button.disabled = !consent.checked; };
consent.addEventListener("change", update);
form.addEventListener("submit", () => {
  button.disabled = true;
  document.getElementById("busy").hidden = false;
});
window.addEventListener("pageshow", update);
const wrong = document.querySelector(".wrong input, .wrong select");
if (wrong) wrong.focus();
update();
