// Asks once a second how the job goes on, until it has ended.
const job = document.getElementById("job");
const show = (progress) => {
  const state = document.getElementById("state");
  state.textContent = progress.label;
  state.dataset.state = progress.state;
  document.getElementById("message").textContent = progress.message;
  if (!progress.active) document.getElementById("bar").value = 1;
  job.dataset.active = progress.active;
};
const poll = async () => {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" } });
    if (answer.ok) show(await answer.json());
  } catch { /* The next second tries again. */ }
  if (job.dataset.active === "true") setTimeout(poll, 1000);
};
if (job.dataset.active === "true") poll();
