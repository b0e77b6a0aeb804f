// Swagger UI over our own document. In development it is signed in as whomever GraphiQL could be.
const BEARER = "bearer"; // The name of the document's security scheme.

const reference = SwaggerUIBundle({
  url: "/api/v1/payments/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  tryItOutEnabled: true,
  validatorUrl: null, // It would ask another host.
  onComplete: offerPeople,
});

async function offerPeople() {
  const answer = await fetch("/explorer/config.json");
  const { people, notice } = await answer.json();
  if (people.length === 0) return; // Whoever opens the page brings a token: "Authorize".
  const choice = document.getElementById("people");
  choice.replaceChildren(...people.map(({ name, authorization }) => new Option(name, authorization)));
  choice.addEventListener("change", () => signIn(choice.value));
  signIn(choice.value);
  document.getElementById("notice").textContent = notice;
  document.getElementById("who").hidden = false;
}

function signIn(authorization) {
  reference.preauthorizeApiKey(BEARER, authorization.replace(/^Bearer /, ""));
}
