import { useEffect, useState } from "react";

const STEPS = [
  ["+1 day", 1],
  ["+1 month", 31],
  ["+1 year", 366],
];

/** The sandbox's clock: trials end, renewals are charged and retried when it is moved on. */
export function Clock({ path }) {
  const [time, setTime] = useState(null);
  const [isMoving, setMoving] = useState(false);

  useEffect(() => {
    ask(path).then(setTime);
  }, [path]);

  const advance = async (days) => {
    setMoving(true);
    try {
      setTime(await ask(path, { days }));
    } finally {
      setMoving(false);
    }
  };

  return (
    <span className="clock" aria-label="Sandbox clock">
      Clock
      <time dateTime={time ?? ""}>{time?.slice(0, 10)}</time>
      {STEPS.map(([label, days]) => (
        <button key={label} type="button" disabled={isMoving} onClick={() => advance(days)}>
          {label}
        </button>
      ))}
    </span>
  );
}

async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, body && post);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()).now;
}
