// Who is signed in, for every component.

import { createContext, useContext, useEffect, useState } from "react";
import { api, dropToken, hasToken, keepToken } from "./api.js";

const Auth = createContext(null);

export const useAuth = () => useContext(Auth);

export function AuthProvider({ children }) {
  const [user, setUser] = useState(null);
  const [loading, setLoading] = useState(hasToken);

  useEffect(() => {
    if (!hasToken()) return;
    api("GET", "/me").then(setUser, () => undefined).finally(() => setLoading(false));
  }, []);

  async function enter(path, credentials) {
    const { token, user } = await api("POST", path, credentials);
    keepToken(token);
    setUser(user);
  }

  const auth = {
    user,
    loading,
    signIn: (credentials) => enter("/login", credentials),
    register: (details) => enter("/register", details),
    signOut() {
      dropToken();
      setUser(null);
    },
  };
  return <Auth value={auth}>{children}</Auth>;
}
