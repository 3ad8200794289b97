/** What is linear: rules that decompose an output over its inputs leave it as it is. */
import { firstOf, type RuleEntry } from '../../operators/rules/rule.ts'

/** Operators that are linear (or affine) in their one operand that varies with the input; a few of them in several together. */
export const LINEAR: ReadonlySet<string> = new Set(
  (
    'Add AveragePool BatchNormalization Cast Concat Conv ConvTranspose CumSum DepthToSpace DequantizeLinear Dropout Einsum ' +
    'Expand Flatten Gather GatherElements GatherND Gemm GlobalAveragePool Identity MatMul Mean Mul Neg Pad ReduceMean ' +
    'ReduceSum Reshape Resize ScatterElements ScatterND Slice SpaceToDepth Split Squeeze Sub Sum Tile Transpose Trilu ' +
    'Unsqueeze Where'
  ).split(' '),
)

/** The same rule where at most one operand varies: a product of two is linear in neither. */
export function inOneOperand(entry: RuleEntry, varies: (tensor: string) => boolean): RuleEntry {
  return {
    ...entry,
    refuses: firstOf(...(entry.refuses ? [entry.refuses] : []), (node) =>
      node.inputs.filter(varies).length > 1 ? 'several of its operands vary with the input' : null,
    ),
  }
}
