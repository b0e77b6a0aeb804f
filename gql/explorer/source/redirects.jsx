import { useGraphiQL } from "@graphiql/react";

/** The page on which the card's holder approves the payment, one click away from the response that asks for it. */
export function Redirects() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response);
  const urls = redirectUrls(response);
  if (!urls.length) return null;
  return (
    <nav className="redirects" aria-label="Next action">
      {urls.map((url) => (
        <a key={url} href={url} target="_blank" rel="noreferrer">
          Open 3-D Secure page ↗
        </a>
      ))}
      <span>Approve or refuse there, then come back and run the story again.</span>
    </nav>
  );
}

function redirectUrls(response) {
  const urls = new Set();
  // A reviver sees every key of the response, however deeply the query nests it.
  JSON.parse(response || "null", (key, value) => {
    if (key === "redirectUrl" && /^https?:/.test(value)) urls.add(value);
    return value;
  });
  return [...urls];
}
