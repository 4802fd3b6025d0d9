// npm odata (o.js), unchanged: it knows the answers of change sets by the name of their boundary.
const assert = require("node:assert/strict");
const { beforeEach, test } = require("node:test");
const { o } = require("odata");

const login = Buffer.from(`${process.env.CLOUD_USER}:${process.env.CLOUD_PASSWORD}`);
const headers = () => ({
  Authorization: `Basic ${login.toString("base64")}`,
  "Content-Type": "application/json",
});
const service = (more = {}) => o(process.env.CLOUD_URL, { headers: headers(), ...more });

beforeEach(async () => {
  for (const row of await service().get("account").query()) {
    await service().delete(`account('${row.accountid}')`).query();
  }
});

test("it reads the service document", async () => {
  const sets = await service().get("").query();
  assert.ok(sets.some((set) => set.name === "account" && set.kind === "EntitySet"));
});

test("it creates, queries, changes and deletes", async () => {
  const made = await service().post("account", { name: "Alpha", employees: 3 }).query();
  const key = `account('${made.accountid}')`;
  const found = await service().get("account").query({
    $filter: "startswith(name,'Al') and employees ge 3",
    $select: "name,employees",
    $orderby: "name desc",
    $top: 5,
  });
  assert.deepEqual(found.map((row) => [row.name, row.employees]), [["Alpha", 3]]);
  const changed = await service().patch(key, { employees: null }).query();
  assert.equal(changed.employees, null);
  assert.equal((await service().get(key).query()).name, "Alpha");
  assert.equal((await service().delete(key).query()).status ?? 204, 204);
  await assert.rejects(service().get(key).query(), (answer) => answer.status === 404);
});

test("it binds and expands", async () => {
  const parent = await service().post("account", { name: "Parent" }).query();
  const bind = { name: "Child", "parentaccountid_account@odata.bind": `account(${parent.accountid})` };
  const child = await service().post("account", bind).query();
  const read = await service().get(`account(${child.accountid})`).query({
    $expand: "parentaccountid_account($select=name)",
  });
  assert.equal(read.parentaccountid_account.name, "Parent");
});

test("it sends a batch with a change set", async () => {
  const handler = service({
    batch: {
      boundaryPrefix: "batch_",
      changsetBoundaryPrefix: "changset_",
      endpoint: "$batch",
      headers: new Headers(headers()),
      useChangset: true,
    },
  });
  handler.post("account", { name: "One" }).post("account", { name: "Two" }).get("account");
  const answers = await handler.batch();
  assert.ok(Array.isArray(answers));
  const names = (await service().get("account").query({ $orderby: "name" })).map((row) => row.name);
  assert.deepEqual(names, ["One", "Two"]);
});
