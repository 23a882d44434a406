import { useInfiniteQuery } from '@tanstack/react-query';
import { mailbox } from './mailbox';

export function MailList({ folder }) {
  const { data, fetchNextPage } = useInfiniteQuery({
    queryKey: ['mail', folder],
    queryFn: async ({ pageParam }) => {
      const page = await mailbox.get(`/${folder}?limit=50&cursorToken=${pageParam}`);
      sessionStorage.setItem('mail.cursorToken', page.cursorToken);
      return page;
    },
    initialPageParam: sessionStorage.getItem('mail.cursorToken') ?? '',
    getNextPageParam: (page) => page.cursorToken,
  });

  return (
    <ul onScroll={() => fetchNextPage()}>
      {data?.pages.flatMap((page) => page.mails).map((mail) => <li key={mail.id}>{mail.subject}</li>)}
    </ul>
  );
}
