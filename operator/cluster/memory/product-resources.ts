/** The custom resources of this product, as an in-memory cluster serves them. */
import { MODEL_FUNCTION_DEFINITION } from '../../../common/api/generated/model-function-definition.ts';
import { MODEL_REVISION_DEFINITION } from '../../../common/api/generated/model-revision-definition.ts';
import { customResources } from './custom-resource.ts';

export const PRODUCT_RESOURCES = [MODEL_FUNCTION_DEFINITION, MODEL_REVISION_DEFINITION].flatMap(customResources);
