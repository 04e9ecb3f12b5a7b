import { KNEE, rampColour } from './map-colours';

const STOPS = 32;

interface MapLegendProps {
  readonly title: string;
  /** Numbers at equal distances, ends included. */
  readonly ticks: readonly number[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Paint of estimates, null when all is exact. */
  readonly hatch: string | null;
  /** What stands beside the scale instead of the key of the map's marks. */
  readonly aside?: string;
  /** Colour along the scale, 0 to 1; without it the ramp of one hue. */
  readonly colour?: (t: number) => string;
}
/** The colour scale with its numbers and the key of the map's marks. */
export function MapLegend({ title, ticks, x, y, width, hatch, aside, colour = rampColour }: MapLegendProps) {
  const stop = width / STOPS;
  return (
    <g transform={`translate(${x} ${y})`}>
      <text x={0} y={8}>
        {title}
      </text>
      {Array.from({ length: STOPS }, (_, i) => (
        <rect key={i} x={i * stop} y={14} width={stop + 0.5} height={8} fill={colour(i / (STOPS - 1))} />
      ))}
      {ticks.map((tick, i) => {
        const at = (i / (ticks.length - 1)) * width;
        return (
          <text key={tick} x={at} y={35} textAnchor={i === 0 ? 'start' : i === ticks.length - 1 ? 'end' : 'middle'}>
            {tick < 0 ? `−${-tick}` : tick}
          </text>
        );
      })}
      {aside === undefined ? (
        <>
          <circle cx={width + 28} cy={18} r={1.5} fill="var(--ink-2)" opacity={0.5} />
          <text x={width + 38} y={18} dominantBaseline="central">
            no tensor
          </text>
        </>
      ) : (
        <text x={width + (hatch === null ? 20 : 40)} y={18} dominantBaseline="central">
          {aside}
        </text>
      )}
      {hatch && (
        <>
          <rect x={width + (aside === undefined ? 106 : 20)} y={12} width={14} height={12} fill={rampColour(KNEE)} />
          <rect x={width + (aside === undefined ? 106 : 20)} y={12} width={14} height={12} fill={hatch} />
          {aside === undefined && (
            <text x={width + 126} y={18} dominantBaseline="central">
              estimate
            </text>
          )}
        </>
      )}
    </g>
  );
}

/** Drawn over the colour of an estimate: `fill="url(#id)"`. */
export function HatchPattern({ id }: { readonly id: string }) {
  return (
    <defs>
      <pattern id={id} width={5} height={5} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line x1={1} x2={1} y1={0} y2={5} stroke="var(--surface)" strokeOpacity={0.4} strokeWidth={1.5} />
      </pattern>
    </defs>
  );
}
