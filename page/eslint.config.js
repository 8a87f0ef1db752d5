import hooks from "eslint-plugin-react-hooks";
import typescript from "typescript-eslint";

export default typescript.config(
  { files: ["src/**/*.{ts,tsx}"], ignores: ["src/api/schema.d.ts"] },
  ...typescript.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
  },
  hooks.configs.flat.recommended,
  {
    rules: {
      // Handlers of events may be asynchronous; what they raise is theirs to show.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      // Text is text: HTML never comes from a string, and styles are classes.
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Text is never HTML.",
        },
        {
          selector: "MemberExpression[property.name=/^(innerHTML|outerHTML)$/]",
          message: "Text is never HTML.",
        },
      ],
    },
  },
);
