// npm @odata/client, unchanged: its change sets have no Content-ID, its JSON batches hold JSON as text.
const assert = require("node:assert/strict");
const { beforeEach, test } = require("node:test");
const { OData } = require("@odata/client");

const login = Buffer.from(`${process.env.CLOUD_USER}:${process.env.CLOUD_PASSWORD}`);
const client = OData.New4({
  serviceEndpoint: process.env.CLOUD_URL,
  commonHeaders: { Authorization: `Basic ${login.toString("base64")}` },
});
const accounts = client.getEntitySet("account");
const named = (name) => client.newOptions().filter(client.newFilter().property("name").eqString(name));

beforeEach(async () => {
  for (const row of await accounts.query()) await accounts.delete(row.accountid);
});

test("it creates, finds, retrieves, changes and deletes", async () => {
  const made = await accounts.create({ name: "Alpha", employees: 3, revenue: 1.5 });
  assert.equal(made.name, "Alpha");
  const [found] = await accounts.find({ name: "Alpha", employees: 3 });
  assert.equal(found.accountid, made.accountid);
  await accounts.update(made.accountid, { employees: 4 });
  const read = await accounts.retrieve(made.accountid);
  assert.deepEqual([read.name, read.employees, read.revenue], ["Alpha", 4, 1.5]);
  await accounts.delete(made.accountid);
  await assert.rejects(accounts.retrieve(made.accountid), /There is no record/);
});

test("it counts, selects, sorts and pages", async () => {
  for (let number = 0; number < 5; number += 1) {
    await accounts.create({ name: `N${number}`, employees: number });
  }
  assert.equal(await accounts.count(), 5);
  const few = client.newFilter().property("employees").gt(1).property("name").ne("'N4'");
  assert.equal(await accounts.count(few), 2);
  const options = client.newOptions().select(["name"]).orderby("name", "desc").top(2).skip(1);
  const page = await accounts.query(options);
  assert.deepEqual(page.map((row) => row.name), ["N3", "N2"]);
  assert.equal(page[0].employees, undefined);
});

test("it sends batches, and change sets in them", async () => {
  const requests = [
    client.newBatchRequest({ collection: "account", method: "POST", entity: { name: "In batch" } }),
    client.newBatchRequest({ collection: "account", params: named("In batch") }),
    client.newBatchRequest({ collection: "account", method: "POST", entity: { wrong: 1 } }),
  ];
  const [made, found, wrong] = await client.execBatchRequests(requests);
  assert.equal(made.status, 201);
  assert.equal((await found.json()).value[0].name, "In batch");
  assert.equal(wrong.status, 400);
  assert.match((await wrong.json()).error.message, /no property 'wrong'/);
});

test("it sends batches in JSON", async () => {
  const requests = [
    client.newBatchRequest({ collection: "account", method: "POST", entity: { name: "In JSON" } }),
    client.newBatchRequest({ collection: "account", params: named("In JSON") }),
  ];
  const [made, found] = await client.execBatchRequestsJson(requests);
  assert.equal(made.status, 201);
  assert.equal((await found.json()).value[0].name, "In JSON");
});
