/** The product's version; equal to package.json's, which a bundle does not carry. */
export const PRODUCT_VERSION = '0.1.0';
