import { ToolbarButton, useGraphiQL } from "@graphiql/react";

const KEY = /("idempotencyKey"\s*:\s*")[^"]*(")/g;

// crypto.randomUUID would be shorter, but exists only over HTTPS and on localhost.
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `web-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const renewed = (variables) => variables.replace(KEY, (_match, before, after) => before + freshKey() + after);

/** A new key makes the next run a new payment; the old one would replay the first. */
export function NewKey() {
  const editor = useGraphiQL((state) => state.variableEditor);
  const variables = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.variables ?? "");
  return (
    <ToolbarButton
      className="new-key"
      label="Put a fresh idempotency key into the variables"
      disabled={variables.search(KEY) < 0}
      onClick={() => editor.setValue(renewed(editor.getValue()))}
    >
      <svg viewBox="0 0 24 24" className="graphiql-toolbar-icon" aria-hidden="true">
        <circle cx="7.5" cy="15.5" r="4.5" />
        <path d="M11 12 20 3m-4 4 3 3" />
      </svg>
      New key
    </ToolbarButton>
  );
}
