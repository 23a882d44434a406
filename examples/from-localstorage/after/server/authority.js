// Counterfoil answers on the same host as the application, because its cookies belong to that host. What is Counterfoil's is passed on
// as it came. In production the proxy in front does this instead.

import { request } from "node:http";

const THEIRS = /^\/(api\/auth|assets)\/|^\/(login|register|account)$/;

export function passOn(authority) {
  return (req, res, next) => {
    if (!THEIRS.test(req.path)) return next();
    const { connection, ...headers } = req.headers;
    headers["x-forwarded-for"] = [headers["x-forwarded-for"], req.socket.remoteAddress].filter(Boolean).join(", ");
    const asked = request(authority + req.originalUrl, { method: req.method, headers }, (answer) => {
      const { connection, "keep-alive": _, ...kept } = answer.headers;
      res.writeHead(answer.statusCode, kept);
      answer.pipe(res);
      answer.on("error", () => res.destroy());
    });
    asked.on("error", () => {
      if (res.headersSent) res.destroy();
      else res.status(502).json({ error: "The sign-in service does not answer. Please try again in a moment." });
    });
    res.on("close", () => asked.destroy());
    req.pipe(asked);
  };
}
