/** The client for a script tag: `window.OwlsignalClient`. */

import { OwlsignalClient } from "./index";

Object.assign(window, { OwlsignalClient });
