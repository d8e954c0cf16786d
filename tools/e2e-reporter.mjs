// A node:test reporter for tools/run-e2e: one JSON line per finished test. A test that only groups others is not counted,
// unless it fails by itself; nor is what node reports in the name of a file without tests.
import path from "node:path";

const groupFailures = new Set(["subtestsFailed"]);

export default async function* reporter(source) {
  const withChildren = [];  // per nesting level: whether the test that is still open there has finished children
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const group = data.details?.type === "suite" || withChildren[data.nesting + 1] === true;
    withChildren.length = data.nesting + 1;
    withChildren[data.nesting] = true;
    const failed = type === "test:fail" && data.todo === undefined;
    const failure = data.details?.error?.failureType;
    if (group && (!failed || groupFailures.has(failure))) continue;
    const isFile = data.file !== undefined && path.resolve(data.name) === path.resolve(data.file);
    if (isFile && !failed) continue;
    const result = failed ? "failed" : data.skip !== undefined || data.todo !== undefined ? "skipped" : "passed";
    yield JSON.stringify({ name: data.name, result, seconds: (data.details?.duration_ms ?? 0) / 1000 }) + "\n";
  }
}
