// Runs a TensorFlow.js graph model on one crop: node tfjs_reference.js MODEL.json CROP.raw SIDE OUT.json OUTPUT...
const fs = require("fs");
const path = require("path");
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const { loadGraphModel } = require("@tensorflow/tfjs-converter");

async function main() {
  const [, , file, crop, side, out, ...outputs] = process.argv;
  const document = JSON.parse(fs.readFileSync(file));
  const group = document.weightsManifest[0];
  const bytes = fs.readFileSync(path.join(path.dirname(file), group.paths[0]));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { modelTopology, format, signature } = document;
  const artifacts = { modelTopology, format, signature, weightSpecs: group.weights, weightData };
  await tf.setBackend("cpu");
  const model = await loadGraphModel({ load: async () => artifacts });
  const input = tf.tensor(Int32Array.from(fs.readFileSync(crop)), [1, +side, +side, 3], "int32");
  const found = [].concat(model.execute(input, outputs));
  const rows = outputs.map((name, i) => ({ name, shape: found[i].shape, values: Array.from(found[i].dataSync()) }));
  fs.writeFileSync(out, JSON.stringify(rows));
}

main();
