// Who asks: the subject of the bearer's token, which is verified on every request.
import { createSecretKey } from "node:crypto";
import jwt from "jsonwebtoken";

const key = createSecretKey(Buffer.from(process.env.JWT_SECRET));

export function userOf(authorization) {
  if (!authorization?.startsWith("Bearer ")) throw new Error("A bearer token is required");
  return jwt.verify(authorization.slice("Bearer ".length), key, { algorithms: ["HS256"] }).sub;
}
