interface Props {
  question: string;
  found: number;
  onAsk: (question: string) => void;
}

export function SearchBox({ question, found, onAsk }: Props) {
  const isAsked = question.trim() !== '';
  return (
    <form className="search" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span className="hidden">Search the posts</span>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5" />
        </svg>
        <input
          type="search"
          name="question"
          placeholder="Search the posts"
          autoComplete="off"
          maxLength={100}
          value={question}
          onChange={(event) => onAsk(event.target.value)}
        />
      </label>
      <p role="status">{isAsked && (found === 0 ? `Nothing matches “${question.trim()}”.` : found === 1 ? 'One post' : `${found} posts`)}</p>
    </form>
  );
}
