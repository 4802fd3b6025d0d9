// npm dynamics-web-api, unchanged: its batches end lines with LF and have no quotes around the boundary.
const assert = require("node:assert/strict");
const { beforeEach, test } = require("node:test");
const { DynamicsWebApi } = require("dynamics-web-api");

const twin = new DynamicsWebApi({
  serverUrl: process.env.TWIN_URL,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => process.env.TWIN_TOKEN,
});

const made = async (count) => {
  const ids = [];
  for (let number = 0; number < count; number += 1) {
    const data = { name: `Account ${number}`, accountnumber: `A-${number}`, revenue: number };
    ids.push(await twin.create({ collection: "accounts", data }));
  }
  return ids;
};

beforeEach(async () => {
  const { value } = await twin.retrieveMultiple({ collection: "accounts", select: ["name"] });
  for (const row of value) await twin.deleteRecord({ collection: "accounts", key: row.accountid });
});

test("it says who it is", async () => {
  const who = await twin.callFunction("WhoAmI");
  assert.match(who.UserId, /^[0-9a-f-]{36}$/);
});

test("it creates, retrieves, updates, upserts and deletes", async () => {
  const created = await twin.create({
    collection: "accounts",
    data: { name: "Contoso" },
    returnRepresentation: true,
    select: ["name"],
  });
  const key = created.accountid;
  const changed = await twin.update({
    collection: "accounts",
    key,
    data: { name: "Fabrikam" },
    returnRepresentation: true,
    select: ["name"],
  });
  assert.equal(changed.name, "Fabrikam");
  await twin.updateSingleProperty({ collection: "accounts", key, fieldValuePair: { telephone1: "1" } });
  const read = await twin.retrieve({ collection: "accounts", key, select: ["name", "telephone1"] });
  assert.equal(read.telephone1, "1");
  await assert.rejects(
    twin.update({ collection: "accounts", key, data: { name: "x" }, ifmatch: 'W/"1"' }).then((done) => {
      if (done === false) throw new Error("precondition");
    }),
  );
  await twin.upsert({ collection: "accounts", key: "accountnumber='K1'", data: { name: "By key" } });
  await twin.deleteRecord({ collection: "accounts", key, fieldName: "telephone1" });
  await twin.deleteRecord({ collection: "accounts", key });
  await assert.rejects(twin.retrieve({ collection: "accounts", key }), { status: 404 });
});

test("it reads pages, counts, filters and formatted values", async () => {
  await made(7);
  const page = await twin.retrieveMultiple({ collection: "accounts", select: ["name"], maxPageSize: 3 });
  assert.equal(page.value.length, 3);
  assert.ok(page["@odata.nextLink"]);
  const all = await twin.retrieveAll({ collection: "accounts", select: ["name"] });
  assert.equal(all.value.length, 7);
  assert.equal(await twin.count({ collection: "accounts", filter: "revenue gt 4" }), 2);
  const counted = await twin.retrieveMultiple({
    collection: "accounts",
    select: ["revenue"],
    filter: "contains(name,'account')",
    orderBy: ["revenue desc"],
    count: true,
    includeAnnotations: "*",
  });
  assert.equal(counted["@odata.count"], 7);
  assert.equal(counted.value[0].revenue, 6);
  assert.ok(counted.value[0]["revenue@OData.Community.Display.V1.FormattedValue"]);
});

test("it expands in both directions", async () => {
  const [parent] = await made(1);
  await twin.create({
    collection: "contacts",
    data: { lastname: "Novák", "parentcustomerid_account@odata.bind": `/accounts(${parent})` },
  });
  const account = await twin.retrieve({
    collection: "accounts",
    key: parent,
    select: ["name"],
    expand: [{ property: "contact_customer_accounts", select: ["lastname"] }],
  });
  assert.equal(account.contact_customer_accounts[0].lastname, "Novák");
});

test("it tracks changes", async () => {
  const [first, second] = await made(2);
  const start = await twin.retrieveMultiple({ collection: "accounts", select: ["name"], trackChanges: true });
  const link = start["@odata.deltaLink"];
  assert.ok(link);
  await twin.update({ collection: "accounts", key: first, data: { name: "Changed" } });
  await twin.deleteRecord({ collection: "accounts", key: second });
  const changes = await twin.retrieveMultiple({ collection: "accounts" }, link);
  assert.equal(changes.value.length, 2);
});

test("it associates and disassociates", async () => {
  const lead = await twin.create({ collection: "leads", data: { subject: "Lead", lastname: "L" } });
  const competitor = await twin.create({ collection: "competitors", data: { name: "Rival" } });
  const pair = {
    collection: "leads",
    primaryKey: lead,
    relationshipName: "leadcompetitors_association",
    relatedCollection: "competitors",
    relatedKey: competitor,
  };
  await twin.associate(pair);
  const expanded = await twin.retrieve({
    collection: "leads",
    key: lead,
    select: ["subject"],
    expand: [{ property: "leadcompetitors_association", select: ["name"] }],
  });
  assert.equal(expanded.leadcompetitors_association.length, 1);
  await twin.disassociate(pair);
});

test("it asks in FetchXML", async () => {
  await made(3);
  const found = await twin.fetch({
    collection: "accounts",
    fetchXml: "<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>",
    includeAnnotations: "*",
  });
  assert.deepEqual(found.value.map((row) => row.name), ["Account 0", "Account 1"]);
  const all = await twin.fetchAll({
    collection: "accounts",
    includeAnnotations: "*",
    fetchXml: "<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>",
  });
  assert.equal(all.value.length, 3);
});

test("it sends a batch with a change set and references", async () => {
  twin.startBatch();
  twin.create({ collection: "accounts", data: { name: "In a batch" }, contentId: "1" });
  twin.create({
    collection: "contacts",
    data: { lastname: "Svoboda", "parentcustomerid_account@odata.bind": "$1" },
    contentId: "2",
  });
  const answers = await twin.executeBatch();
  assert.equal(answers.length, 2);
  twin.startBatch();
  twin.retrieveMultiple({ collection: "accounts", select: ["name"], inChangeSet: false });
  twin.retrieveMultiple({ collection: "contacts", select: ["lastname"], inChangeSet: false });
  const [accounts] = await twin.executeBatch();
  assert.equal(accounts.value[0].name, "In a batch");
});

test("a batch that fails changes nothing", async () => {
  twin.startBatch();
  twin.create({ collection: "accounts", data: { name: "Good" } });
  twin.create({ collection: "accounts", data: { nonsense: 1 } });
  await assert.rejects(twin.executeBatch());
  const { value } = await twin.retrieveMultiple({ collection: "accounts", select: ["name"] });
  assert.equal(value.length, 0);
});

test("it reads metadata", async () => {
  const entity = await twin.retrieveEntity({ key: "LogicalName='account'", select: ["EntitySetName"] });
  assert.equal(entity.EntitySetName, "accounts");
  const picklists = await twin.retrieveAttributes({
    entityKey: entity.MetadataId,
    castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
    select: ["LogicalName"],
    expand: [{ property: "OptionSet", select: ["Options"] }],
  });
  assert.ok(picklists.value.length > 0);
  const relationships = await twin.retrieveRelationships({ select: ["SchemaName"] });
  assert.ok(relationships.value.length > 0);
  const sets = await twin.retrieveGlobalOptionSets({ select: ["Name"] });
  assert.ok(Array.isArray(sets.value));
  const csdl = await twin.retrieveCsdlMetadata();
  assert.match(csdl, /EntityType Name="account"/);
});

test("it makes and changes an entity", async () => {
  const label = (text) => ({
    "@odata.type": "Microsoft.Dynamics.CRM.Label",
    LocalizedLabels: [
      { "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", Label: text, LanguageCode: 1033 },
    ],
  });
  const id = await twin.createEntity({
    data: {
      "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
      SchemaName: "new_Yacht",
      DisplayName: label("Yacht"),
      DisplayCollectionName: label("Yachts"),
      HasNotes: false,
      HasActivities: false,
      IsActivity: false,
      OwnershipType: "UserOwned",
      Attributes: [
        {
          "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
          SchemaName: "new_Name",
          IsPrimaryName: true,
          MaxLength: 100,
          FormatName: { Value: "Text" },
          RequiredLevel: { Value: "None" },
          DisplayName: label("Name"),
        },
      ],
    },
  });
  await twin.createAttribute({
    entityKey: id,
    data: {
      "@odata.type": "Microsoft.Dynamics.CRM.IntegerAttributeMetadata",
      SchemaName: "new_Masts",
      DisplayName: label("Masts"),
      RequiredLevel: { Value: "None" },
      MinValue: 0,
      MaxValue: 5,
      Format: "None",
    },
  });
  await twin.create({ collection: "new_yachts", data: { new_name: "Aurora", new_masts: 3 } });
  const { value } = await twin.retrieveMultiple({ collection: "new_yachts", select: ["new_masts"] });
  assert.equal(value[0].new_masts, 3);
});
