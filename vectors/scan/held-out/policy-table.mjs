const POLICIES = new Map([
  ['reader', ['articles:read']],
  ['author', ['articles:read', 'articles:write']],
]);

/** The claims come from the guard in front, which has verified the token. */
export function may(claims, action) {
  return (claims.roles ?? []).some((role) => POLICIES.get(role)?.includes(action));
}

export const allow = (action) => (req, res, next) => {
  if (may(req.claims, action)) return next();
  return res.status(403).json({ error: 'forbidden', needs: action });
};
