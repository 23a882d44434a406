// Who is signed in, and what changes it.

import { useSession } from "@counterfoil/client/react";
import { api, client } from "./api.js";

export function useAuth() {
  const state = useSession(client);
  // Without a network, say, it is not known whether somebody is; whoever was is still shown.
  const { user } = state.status === "unknown" ? state.last ?? {} : state;

  async function signIn(credentials) {
    const { status } = await client.signIn(credentials);
    // Whoever has set up a second factor shows it on Counterfoil's own page.
    if (status === "next") location.assign("/login?redirect=/");
  }

  return {
    user,
    loading: state.status === "unknown" && !user,
    problem: state.status === "unknown" && state.cause !== "not_asked" ? state.message : "",
    signIn,
    async register({ email, name, password }) {
      await api("POST", "/auth/register", { email, name, password });
      await signIn({ email, password });
    },
    signOut: () => client.signOut(),
    signOutEverywhere: () => client.signOut({ everywhere: true }),
  };
}
