/** The shape of what is coming, without words. */
export function Skeleton() {
  return (
    <div className="skeleton" aria-hidden="true" data-testid="skeleton">
      <div className="sk-chart">
        {Array.from({ length: 5 }, (_, n) => (
          <span key={n} style={{ top: `${12 + n * 19}%` }} />
        ))}
      </div>
      <div className="sk-rows">
        {Array.from({ length: 8 }, (_, n) => (
          <span key={n} />
        ))}
      </div>
    </div>
  );
}
