interface Account {
  id: string
  title: string
  roles: string[]
}

export class AccountCache {
  constructor(private readonly storage: Storage = sessionStorage) {}

  write(account: Account): void {
    this.storage.setItem('account', JSON.stringify({ id: account.id, title: account.title }))
    this.storage.setItem('tokenExpiry', String(Date.now() + 300_000))
  }

  read(): Pick<Account, 'id' | 'title'> | null {
    const text = this.storage.getItem('account')
    return text === null ? null : JSON.parse(text)
  }
}
