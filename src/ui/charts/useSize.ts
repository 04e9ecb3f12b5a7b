import { useLayoutEffect, useRef, useState } from 'react';

/** Content-box size of an element in CSS pixels, whole numbers; 0 x 0 until it is laid out. */
export function useSize<E extends HTMLElement>() {
  const ref = useRef<E>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize((old) => {
        const next = { width: Math.floor(width), height: Math.floor(height) };
        return old.width === next.width && old.height === next.height ? old : next;
      });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, ...size };
}
