import { createReferenceBackend } from '../../src/reference/backend';
import { describeAngles } from './angles';
import { describeChunks } from './chunks';
import { describeFigures } from './figures';
import { loadFixture } from './fixtures';
import { describeGolden } from './golden';
import { describeHeld } from './held';
import { describeLimits } from './limits';
import { describeMasks } from './masks';

const NAME = 'the CPU reference';
const makeReference = () => Promise.resolve(createReferenceBackend());

describeGolden(NAME, makeReference, { exact: true });
describeChunks(NAME, makeReference);
describeLimits(NAME, makeReference);
describeHeld(NAME, makeReference);
describeAngles(NAME, makeReference);
describeMasks(NAME, makeReference);
describeFigures(NAME, makeReference, (folder) => loadFixture(`checkpoints/${folder}/model.safetensors`));
