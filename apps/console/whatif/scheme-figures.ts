/** The figures of one scheme's period, counted person by person. */
import type { CompiledScheme, SchemeShare } from '#domain';

export interface SchemeFigures {
  /** As it was asked for. */
  readonly scheme: string;
  readonly zone: string;
  readonly zero_order_counts: boolean;
  /** Persons by tier, 0 to 5. */
  readonly tiers: readonly number[];
  /** Persons in relation with the brand. */
  readonly capital: number;
  /** The same at the close of the period before. */
  readonly capital_base: number;
  readonly deepened: number;
  readonly deepened_cohort: number;
  /** `deepened` over `capital_base`; null over 0. */
  readonly conversion: number | null;
  /** `deepened_cohort` over `capital_base`; null over 0. */
  readonly conversion_cohort: number | null;
}

const TIERS = 6;

export class SchemeCount {
  private readonly tiers = new Array<number>(TIERS).fill(0);
  private capitalBase = 0;
  private deepened = 0;
  private deepenedCohort = 0;

  constructor(
    private readonly text: string,
    readonly compiled: CompiledScheme,
  ) {}

  add({ tier, baseTier, deepened, deepenedCohort }: SchemeShare): void {
    this.tiers[tier] = (this.tiers[tier] ?? 0) + 1;
    if (baseTier > 0) this.capitalBase += 1;
    if (deepened) this.deepened += 1;
    if (deepenedCohort) this.deepenedCohort += 1;
  }

  figures(): SchemeFigures {
    const { scheme } = this.compiled;
    const share = (part: number): number | null => (this.capitalBase === 0 ? null : part / this.capitalBase);
    return {
      scheme: this.text,
      zone: scheme.zone,
      zero_order_counts: scheme.zeroOrderCounts,
      tiers: this.tiers,
      capital: this.tiers.slice(1).reduce((sum, count) => sum + count, 0),
      capital_base: this.capitalBase,
      deepened: this.deepened,
      deepened_cohort: this.deepenedCohort,
      conversion: share(this.deepened),
      conversion_cohort: share(this.deepenedCohort),
    };
  }
}
