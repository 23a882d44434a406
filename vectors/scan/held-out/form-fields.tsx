const hints = {
  clientSecret: 'Shown once, when the application is created',
  jwtSecret: 'At least 32 characters; the server reads it from the environment',
  password: 'At least 12 characters',
}

type Field = keyof typeof hints

export function Hint({ field }: { field: Field }) {
  return <small id={`${field}-hint`}>{hints[field]}</small>
}

export function SecretField({ value, onChange }: { value: string; onChange(value: string): void }) {
  return (
    <label>
      Secret
      <input type="password" name="secret" value={value} onChange={(event) => onChange(event.target.value)} />
      <Hint field="clientSecret" />
    </label>
  )
}
