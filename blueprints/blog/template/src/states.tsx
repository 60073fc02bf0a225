export function Loading() {
  return (
    <div className="loading" role="status">
      <span className="hidden">Loading</span>
      <i />
      <i />
      <i />
    </div>
  );
}

export function Failed({ reason, retry }: { reason: string; retry: () => void }) {
  return (
    <div className="notice" role="alert">
      <h2>The posts are away for a moment</h2>
      <p>{reason}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
