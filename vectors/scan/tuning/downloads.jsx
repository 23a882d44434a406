import { useAuth } from '../auth';

export function Downloads({ reports }) {
  const { accessToken } = useAuth();

  const hrefOf = (report) => {
    const url = new URL(`/reports/${report.id}.pdf`, window.location.origin);
    url.searchParams.set('access_token', accessToken); // expect: token-in-url
    url.searchParams.set('page', '1');
    return url.toString();
  };

  return (
    <ul>
      {reports.map((report) => (
        <li key={report.id}>
          <a href={hrefOf(report)}>{report.title}</a>
          <img alt="" src={`/thumbs/${report.id}?jwt=${accessToken}`} /> {/* expect: token-in-url */}
        </li>
      ))}
    </ul>
  );
}
