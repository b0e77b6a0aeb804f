// Monaco asks for its workers by label; as files of our own origin they need no exception in the CSP.
const SCRIPTS = { json: "json.worker.js", graphql: "graphql.worker.js" };

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(`/explorer/${SCRIPTS[label] ?? "editor.worker.js"}`, { name: label }),
};
