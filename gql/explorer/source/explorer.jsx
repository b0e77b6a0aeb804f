import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { useState } from "react";
import { Clock } from "./clock.jsx";
import { authorizedFetch } from "./configuration.js";
import { EditorOptions } from "./editor_options.jsx";
import { NewKey } from "./new_key.jsx";
import { Casting, People } from "./people.jsx";
import { Redirects } from "./redirects.jsx";
import { openingTabs } from "./stories.js";
import { StoryTitles } from "./story_titles.jsx";

// Without these the variables pane underlines every value that is no plain string or number.
const SCALARS = { JSONObject: { type: "object" }, MinorUnits: { type: ["integer", "string"] } };

const HEADERS_HINT = `// A token is sent for you. To use another:
// { "Authorization": "Bearer …" }`;

export function Explorer({ endpoint, people, tabs: stories, notice, clock }) {
  const [casting] = useState(() => new Casting(people, stories));
  const [tabs] = useState(() => openingTabs(stories));
  const [fetcher] = useState(() => createGraphiQLFetcher({ url: endpoint, fetch: authorizedFetch(casting) }));
  return (
    <>
      <header className="masthead">
        <strong>Payments gateway</strong>
        <span>{notice}</span>
        {people.length > 1 && <People casting={casting} />}
        {clock && <Clock path={clock} />}
        <a href="/explorer/licences.txt">Licences</a>
      </header>
      <StoryTitles stories={stories} />
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={tabs}
        initialVariables={tabs[0]?.variables} // defaultTabs alone would open the first tab without them.
        defaultHeaders={people.length ? HEADERS_HINT : ""}
        defaultEditorToolsVisibility="variables"
        shouldPersistHeaders={false}
        customScalarSchemas={SCALARS}
      >
        <GraphiQL.Logo>{null}</GraphiQL.Logo>
        <GraphiQL.Toolbar>
          {({ prettify, copy }) => (
            <>
              <NewKey />
              {prettify}
              {copy}
            </>
          )}
        </GraphiQL.Toolbar>
        <GraphiQL.Footer>
          <Redirects />
        </GraphiQL.Footer>
        <EditorOptions />
      </GraphiQL>
    </>
  );
}
