// Who is asking: a JWT in the header, good for a week.

import jwt from "jsonwebtoken";

const { JWT_SECRET } = process.env;
if (!JWT_SECRET) throw new Error("JWT_SECRET is not set: put a long random text into .env");

export function makeToken(user) {
  return jwt.sign({ userId: user.id, email: user.email, role: user.role }, JWT_SECRET, { expiresIn: "7d" });
}

export function authenticate(req, res, next) {
  const [, token] = (req.headers.authorization ?? "").split(" ");
  try {
    req.user = jwt.verify(token, JWT_SECRET);
  } catch {
    return res.status(401).json({ error: "Please sign in." });
  }
  next();
}

export function requireRole(role) {
  return (req, res, next) => {
    if (req.user.role !== role) return res.status(403).json({ error: `This is for the role ${role}.` });
    next();
  };
}
