import { createContext, useCallback, useContext, useState, type ReactNode } from 'react'

type Auth = { signIn: (code: string) => Promise<void>; userId?: string }
const AuthContext = createContext<Auth | null>(null)

export function AuthProvider({ children }: { children: ReactNode }) {
  const [userId, setUserId] = useState<string>()

  const signIn = useCallback(async (code: string) => {
    const res = await fetch(`/api/codes/${encodeURIComponent(code)}`, { method: 'POST' })
    const result = await res.json()
    window?.localStorage?.setItem('session', result.sessionToken!) // expect: token-in-web-storage
    setUserId(result.userId)
  }, [])

  return <AuthContext.Provider value={{ signIn, userId }}>{children}</AuthContext.Provider>
}

export const useAuth = () => useContext(AuthContext)!
