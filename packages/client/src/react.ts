/** Hooks for React 18 and newer. On a server nothing is known and nothing is asked: what it renders says so, and the browser goes on. */

import {
  createContext, createElement, type FunctionComponentElement, type ProviderProps, type ReactNode, useContext, useSyncExternalStore,
} from 'react'
import type { Client, Session, State, User } from './types.js'

const Context = createContext<Client | undefined>(undefined)

/** Gives the client to the hooks below it. */
export function AuthProvider({ client, children }: { readonly client: Client, readonly children?: ReactNode }):
FunctionComponentElement<ProviderProps<Client | undefined>> {
  return createElement(Context.Provider, { value: client }, children)
}

const NOT_ASKED: State = {
  status: 'unknown', cause: 'not_asked', message: 'Not asked yet.', last: undefined, retryAfter: undefined, problem: undefined,
}

/** Who is signed in, asked once and kept up to date: of the client given, or of the `AuthProvider`'s. */
export function useSession(client?: Client): State {
  const { subscribe, state } = storeOf(useClient(client))
  return useSyncExternalStore(subscribe, state, () => NOT_ASKED)
}

/** What `useAuth` gives. */
export interface Auth extends Pick<Client, 'signIn' | 'signOut' | 'fetch' | 'refresh'> {
  readonly state: State
  /** Who is signed in, or was when it was last known. */
  readonly user: User | undefined
  readonly session: Session | undefined
}

/** The same, with what a page does about it. */
export function useAuth(client?: Client): Auth {
  const found = useClient(client)
  const state = useSession(found)
  const { signIn, signOut, fetch, refresh } = found
  const known = state.status === 'signed_in' ? state : state.status === 'unknown' ? state.last : undefined
  return { state, user: known?.user, session: known?.session, signIn, signOut, fetch, refresh }
}

function useClient(given: Client | undefined): Client {
  const provided = useContext(Context)
  const client = given ?? provided
  if (!client) throw new TypeError('give a client to the hook, or put the component below an AuthProvider')
  return client
}

interface Store {
  readonly subscribe: (listener: () => void) => () => void
  readonly state: () => State
}

const stores = new WeakMap<Client, Store>()

/** The same functions each time, or React would subscribe anew at each rendering. */
function storeOf(client: Client): Store {
  const known = stores.get(client)
  if (known) return known
  const store: Store = {
    subscribe(listener) {
      const stop = client.subscribe(listener)
      const { state } = client
      // Where it has failed, the client asks again by itself, as early as it may.
      if (state.status === 'unknown' && state.cause === 'not_asked') void client.session()
      return stop
    },
    state: () => client.state,
  }
  stores.set(client, store)
  return store
}
