// Python in WebAssembly as a command: node wasm.mjs micropython|pyodide SCRIPT
// It sees the Python files of the current directory, and finds the interpreter
// among the npm packages installed beside this file.
import { readFileSync, readdirSync, writeSync } from "node:fs";

const [kind, script] = process.argv.slice(2);
const write = (bytes) => writeSync(1, bytes);

let python;
if (kind === "micropython") {
  const name = "@micropython/micropython-webassembly-pyscript/micropython.mjs";
  const { loadMicroPython } = await import(name);
  python = await loadMicroPython({ stdout: write, linebuffer: false });
} else if (kind === "pyodide") {
  const { loadPyodide } = await import("pyodide");
  python = await loadPyodide();
  python.setStdout({ write });
} else {
  throw new Error(`expected micropython or pyodide, got ${kind}`);
}

for (const name of readdirSync(".").filter((name) => name.endsWith(".py"))) {
  python.FS.writeFile(name, readFileSync(name));
}
try {
  python.runPython(readFileSync(script, "utf8"));
} catch (error) {
  const message = `${error.type}: ${error.message}`;
  const exit = /SystemExit: (\d+)/.exec(message);
  process.exitCode = exit ? Number(exit[1]) : 1;
  if (process.exitCode) console.error(message);
}
