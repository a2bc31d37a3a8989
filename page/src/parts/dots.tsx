/** Six shapes, so that answers can be told apart without colour. */
const shapes = [
  <circle cx="8" cy="8" r="6" />,
  <rect x="2.5" y="2.5" width="11" height="11" />,
  <path d="M8 1.5 15 14H1Z" />,
  <path d="M8 0.8 15.2 8 8 15.2 0.8 8Z" />,
  <path d="M1 2h14L8 14.5Z" />,
  <path d="M5.5 1h5v4.5H15v5h-4.5V15h-5v-4.5H1v-5h4.5Z" />,
];

/** The shape and colour of an answer: by its place among the choices, so that it stays the same whatever the count. */
export function Dot({ place, isOpen = false }: { readonly place: number; readonly isOpen?: boolean }) {
  const i = place < 0 ? shapes.length - 1 : place % shapes.length;
  return (
    <svg class={`dot dot-${i}${isOpen ? ' open' : ''}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shapes[i]}
    </svg>
  );
}

/** As many dots as chains; words beside them say the same to who does not see them. */
export function Dots({
  place,
  count,
  isOpen,
}: {
  readonly place: number;
  readonly count: number;
  readonly isOpen?: boolean;
}) {
  return (
    <span class="dots" aria-hidden="true">
      {Array.from({ length: count }, (_, i) => (
        <Dot key={i} place={place} isOpen={isOpen ?? false} />
      ))}
    </span>
  );
}
