/** What the gateway says about this page: the endpoint, the stories, and a fresh token to run them with. */
export async function configuration() {
  const response = await fetch("/explorer/config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`/explorer/config.json answered ${response.status}`);
  return response.json();
}

/**
 * A fetch that adds the token of whoever is cast for the document, wherever the headers pane names no other.
 *
 * Tokens stay out of the pane, because GraphiQL keeps that text in the browser's storage, as history, long after
 * they have expired. One that expires while the page is open is replaced: a 401 has run nothing, so the request may
 * be sent again.
 */
export function authorizedFetch(casting) {
  return async (url, request) => {
    const own = new Headers(request.headers);
    const { operationName } = JSON.parse(request.body);
    const send = () => fetch(url, { ...request, headers: withToken(own, casting.authorization(operationName)) });

    const response = await send();
    if (response.status !== 401 || own.has("Authorization")) return response;
    casting.people = (await configuration()).people;
    return send();
  };
}

function withToken(own, token) {
  const headers = new Headers(own);
  if (token && !headers.has("Authorization")) headers.set("Authorization", token);
  return headers;
}
