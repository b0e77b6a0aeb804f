import { freshKey } from "./new_key.jsx";

const STORED_TABS = "graphiql:tabState";
const STORED_EDITORS = ["graphiql:query", "graphiql:variables", "graphiql:headers"];

/** A document's operation name, which GraphiQL shows as the title of its tab. */
export const operationName = (query) => /^(?:query|mutation|subscription)\s+(\w+)/m.exec(query ?? "")?.[1];

/**
 * The stories as the server tells them now, then the tabs that the visitor opened in earlier visits.
 *
 * A story is never restored from the browser: its card ids and its idempotency key may be spent.
 */
export function openingTabs(stories) {
  const key = freshKey();
  const fill = (text) => text.replaceAll("{{fresh-key}}", key).replaceAll("{{origin}}", location.origin);
  const told = stories.map(({ query, variables }) => ({ query: fill(query), variables: fill(variables) }));
  return [...told, ...takeOwnTabs(stories)];
}

function takeOwnTabs(stories) {
  const names = new Set(stories.map(({ query }) => operationName(query)));
  const stored = JSON.parse(localStorage.getItem(STORED_TABS))?.tabs ?? [];
  // What stays stored would win over the tabs that are handed to GraphiQL.
  [STORED_TABS, ...STORED_EDITORS].forEach((name) => localStorage.removeItem(name));
  return stored
    .filter(({ query }) => query?.trim() && !names.has(operationName(query)))
    .map(({ query, variables }) => ({ query, variables }));
}
