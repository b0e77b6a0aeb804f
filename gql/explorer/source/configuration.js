/** What the gateway says about this page: the endpoint, the stories, and a fresh token to run them with. */
export async function configuration() {
  const response = await fetch("/explorer/config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`/explorer/config.json answered ${response.status}`);
  return response.json();
}

/**
 * A fetch that adds the issued token wherever the headers pane names no other.
 *
 * The token stays out of the pane, because GraphiQL keeps that text in the browser's
 * storage, as history, long after the token has expired. One that expires while the
 * page is open is replaced: a 401 has run nothing, so the request may be sent again.
 */
export function authorizedFetch(issued) {
  return async (url, request) => {
    const own = new Headers(request.headers);
    const send = (token) => fetch(url, { ...request, headers: withToken(own, token) });

    const response = await send(issued);
    if (response.status !== 401 || own.has("Authorization")) return response;
    issued = (await configuration()).authorization;
    return send(issued);
  };
}

function withToken(own, token) {
  const headers = new Headers(own);
  if (token && !headers.has("Authorization")) headers.set("Authorization", token);
  return headers;
}
