import { operationName } from "./stories.js";

/** GraphiQL names a tab after its operation; where that is a story's, the story's title is shown instead. */
export function StoryTitles({ stories }) {
  return <style>{stories.map(titleRules).join("\n")}</style>;
}

function titleRules({ title, query }) {
  const tab = `.graphiql-container .graphiql-tab .graphiql-tab-button[title=${JSON.stringify(operationName(query))}]`;
  return `${tab} { font-size: 0 } ${tab}::after { content: ${JSON.stringify(title)}; font-size: 0.8125rem }`;
}
