import { useState } from 'react';

const NAME = 'cookie_consent';

export function ConsentBanner() {
  const [open, setOpen] = useState(!document.cookie.includes(NAME));
  const answer = (choice) => {
    document.cookie = `${NAME}=${choice}; path=/; max-age=${60 * 60 * 24 * 180}; SameSite=Lax`;
    setOpen(false);
  };
  if (!open) return null;
  return (
    <aside>
      <p>We count visits.</p>
      <button onClick={() => answer('yes')}>Fine</button>
      <button onClick={() => answer('no')}>Please do not</button>
    </aside>
  );
}
