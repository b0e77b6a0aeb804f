import { useState } from "react";
import { operationName } from "./stories.js";

const AS_TOLD = "as each story says";

/** Who sends a document: whom the visitor chose, else whom its story names, else the first one. */
export class Casting {
  constructor(people, stories) {
    this.people = people;
    this.chosen = null;
    this.parts = new Map(stories.map(({ query, as }) => [operationName(query), as]));
  }

  authorization(operation) {
    const name = this.chosen ?? this.parts.get(operation);
    return (this.people.find((person) => person.name === name) ?? this.people[0])?.authorization;
  }
}

export function People({ casting }) {
  const [chosen, setChosen] = useState("");
  const choose = (name) => {
    casting.chosen = name || null;
    setChosen(name);
  };
  return (
    <label className="people">
      Signed in{" "}
      <select value={chosen} onChange={(event) => choose(event.target.value)}>
        <option value="">{AS_TOLD}</option>
        {casting.people.map(({ name }) => (
          <option key={name} value={name}>
            as {name}
          </option>
        ))}
      </select>
    </label>
  );
}
