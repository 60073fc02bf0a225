/** Ten messages, four apps and their services, from the blueprints. */
import { startPlatform } from '../support/platform.ts';
import { tellTenMessages } from '../support/tell-ten-messages.ts';

// Until the portfolio is gone.
tellTenMessages(async () => await startPlatform({ directus: true }), { back: 4 });
