import "./workers.js";
import { createRoot } from "react-dom/client";
import { configuration } from "./configuration.js";
import { Explorer } from "./explorer.jsx";
import "./explorer.css";

// GraphiQL would give the variables a quarter of the height; the stories' need more. Whoever moved the bar keeps it.
const VARIABLES_HEIGHT = "graphiql:secondaryEditorFlex";
if (!localStorage.getItem(VARIABLES_HEIGHT)) localStorage.setItem(VARIABLES_HEIGHT, "1.75");

const root = createRoot(document.getElementById("explorer"));

configuration().then(
  (config) => root.render(<Explorer {...config} />),
  (problem) => root.render(<p role="alert">The explorer could not start: {problem.message}. Reload to try again.</p>),
);
