/** What keeps faults of this package, and of what it is given, out of the host page. */

/** Tells the developer, not the visitor, that something was not sent. */
export function warn(...said: unknown[]): void {
  try {
    console.warn("saastracker:", ...said);
  } catch {
    // a console that throws is the page's
  }
}

/** The same function, but what it throws is only told. */
export function safely<T extends unknown[]>(run: (...given: T) => void): (...given: T) => void {
  return (...given) => {
    try {
      run(...given);
    } catch (error) {
      warn(error);
    }
  };
}

export function on(target: EventTarget, kind: string, run: (event: never) => void): void {
  target.addEventListener(kind, safely(run) as EventListener);
}
