import { createContext, type ReactNode, useContext, useRef, useState } from 'react'

type Session = { accessToken: string; userId: string }
const Context = createContext<{ session: Session | null; open(session: Session): void } | null>(null)

export function SessionProvider({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<Session | null>(null)
  const openedAt = useRef(0)

  function open(next: Session) {
    openedAt.current = Date.now()
    sessionStorage.setItem('openedAt', String(openedAt.current))
    setSession(next)
  }

  return <Context.Provider value={{ session, open }}>{children}</Context.Provider>
}

export const useSession = () => useContext(Context)!.session
