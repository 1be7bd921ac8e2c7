// Writes src/server/wire.ts, the types of what page and server say to each other, from openapi.json (made by tools/openapi.py).
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("./openapi.json", import.meta.url));
const TARGET = fileURLToPath(new URL("./src/server/wire.ts", import.meta.url));
const HEAD = "/** Made by `npm run wire` from openapi.json: change src/emc/server/schemas/, not this. */\n";

const nameOf = (reference) => reference.split("/").at(-1);

/** The TypeScript type of a JSON schema. */
export function typeOf(schema) {
  if (!schema || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return any.map(typeOf).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" & ");
  if (schema.type === "array") return arrayOf(schema);
  if (schema.type === "object") return objectOf(schema);
  return { integer: "number", number: "number", string: "string", boolean: "boolean", null: "null" }[schema.type] ?? "unknown";
}

function arrayOf(schema) {
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(", ")}]`;
  const inner = typeOf(schema.items);
  return /^\w+$/.test(inner) ? `${inner}[]` : `(${inner})[]`;
}

function objectOf(schema) {
  if (schema.properties) return `{ ${fieldsOf(schema, true).join(" ")} }`;
  const values = schema.additionalProperties;
  return `Record<string, ${values && values !== true ? typeOf(values) : "unknown"}>`;
}

/** A field is optional where a request may leave it out; an answer has all its fields. */
function fieldsOf(schema, all) {
  const needed = new Set(schema.required ?? []);
  return Object.entries(schema.properties).map(
    ([name, field]) => `${name}${all || needed.has(name) ? "" : "?"}: ${typeOf(field)};`,
  );
}

const comment = (words, indent = "") => (words ? `${indent}/** ${words.trim().replace(/\s*\n\s*/g, " ")} */\n` : "");

function interfaceOf(name, schema, isRequest) {
  if (!schema.properties) return `${comment(schema.description)}export type ${name} = ${typeOf(schema)};\n`;
  const fields = fieldsOf(schema, !isRequest).map((field) => `  ${field}\n`);
  return `${comment(schema.description)}export interface ${name} {\n${fields.join("")}}\n`;
}

const jsonOf = (content) => typeOf(content?.["application/json"]?.schema ?? {});

function operationOf(method, path, operation) {
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === "query");
  const asked = query.map((each) => `${each.name}${each.required ? "" : "?"}: ${typeOf(each.schema)};`);
  const body = operation.requestBody ? jsonOf(operation.requestBody.content) : "null";
  const answer = jsonOf(Object.entries(operation.responses).find(([status]) => status.startsWith("2"))?.[1].content);
  const words = comment(operation.description ?? operation.summary, "  ");
  const ask = asked.length ? `{ ${asked.join(" ")} }` : "Record<never, never>";
  return `${words}  "${method.toUpperCase()} ${path}": { query: ${ask}; body: ${body}; answer: ${answer} };\n`;
}

/** Every schema that a request body leads to. */
function requestsOf(document) {
  const found = new Set();
  const walk = (node) => {
    if (!node || typeof node !== "object") return;
    if (node.$ref && !found.has(nameOf(node.$ref))) {
      found.add(nameOf(node.$ref));
      walk(document.components.schemas[nameOf(node.$ref)]);
    }
    for (const value of Object.values(node)) walk(value);
  };
  for (const path of Object.values(document.paths)) for (const operation of Object.values(path)) walk(operation.requestBody);
  return found;
}

/** The whole file for an OpenAPI document. */
export function wireOf(document) {
  const requests = requestsOf(document);
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) =>
    interfaceOf(name, schema, requests.has(name)),
  );
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationOf(method, path, operation)),
  );
  const table = `/** Every operation: what is asked in the address, what is sent, what is answered. */\nexport interface Operations {\n${operations.join("")}}\n`;
  return [HEAD, ...schemas, table].join("\n");
}

export const fresh = () => wireOf(JSON.parse(readFileSync(SOURCE, "utf8")));
export const committed = () => readFileSync(TARGET, "utf8");

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, fresh());
