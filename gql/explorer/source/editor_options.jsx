import { useGraphiQL } from "@graphiql/react";
import { useEffect } from "react";

const OPTIONS = {
  fontSize: 13,
  lineHeight: 19,
  fontFamily: 'ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  wordWrap: "on",
};

/** GraphiQL fixes its editors at 15px of a font that we do not ship; smaller, a story fits beside its response. */
export function EditorOptions() {
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const headers = useGraphiQL((state) => state.headerEditor);
  const response = useGraphiQL((state) => state.responseEditor);
  useEffect(() => {
    [query, variables, headers, response].forEach((editor) => editor?.updateOptions(OPTIONS));
  }, [query, variables, headers, response]);
  return null;
}
