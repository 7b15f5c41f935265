/** The tag as a script: `window.saastracker`, started by the attributes of its element. */

import { group, identify, init, optOut, reset, track } from "./tag";

Object.assign(window, { saastracker: { init, track, identify, group, reset, optOut } });
const { host, apiKey, projectKey } = document.currentScript?.dataset ?? {};
if (host && apiKey) init({ host, apiKey, ...(projectKey && { projectKey }) });
