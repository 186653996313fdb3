/** Every scenario begins at this instant, in ms since 1970. */
export const beganAt = 1_000_000;
